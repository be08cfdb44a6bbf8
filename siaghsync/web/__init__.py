"""The web side of `siaghsync serve`: the receiver of webhooks, the dashboard, and the health check.

`service` runs it all, `app` says which address is served by what, `dependencies` is what the pages are given. `worker` turns
stored webhooks into runs. Nothing here decides or writes about records: runs are the same as cron's, and decisions go through
`sync.decisions`.
"""
