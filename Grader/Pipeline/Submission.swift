// The stages of the grader come here.
