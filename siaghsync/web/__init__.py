"""The web side of `siaghsync serve`: the receiver of webhooks, the dashboard, and the health check.

`app` puts it together and `desk` is all it is given; `worker` turns stored webhooks into runs. Nothing here decides or
writes about records: runs go through the same engine as cron's, and decisions through `resolve`.
"""
