// The course tests come here.
