runGrader()
