"""The watch (监测): who is paid, arriving events, what they missed, and what the lag costs."""
