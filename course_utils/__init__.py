"""The small package that the notebooks share: write ``from course_utils.cells import LSTMCell``."""
