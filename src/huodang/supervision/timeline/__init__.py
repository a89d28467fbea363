"""Two clocks (两个时间): facts with the time they hold and the time they were known."""
