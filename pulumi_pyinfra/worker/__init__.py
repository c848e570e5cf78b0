"""The process in which pyinfra runs: one request in, events out.

Only ``client`` may be imported by another process; all else imports pyinfra, and with it gevent.
"""
