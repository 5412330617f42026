import Verbs

runGrader()
