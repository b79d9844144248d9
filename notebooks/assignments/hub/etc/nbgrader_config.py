"""What every account of the hub tells nbgrader: the course and the folder of the exchange."""

import os

c = get_config()  # noqa: F821 - nbgrader gives this name

c.CourseDirectory.course_id = "rnn-course"
c.Exchange.root = os.environ.get("COURSE_EXCHANGE", "/srv/nbgrader/exchange")
