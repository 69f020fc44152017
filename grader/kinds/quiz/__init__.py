"""Quizzes as data: the bank of questions, the draw for a student, and the sheet that is handed out."""
