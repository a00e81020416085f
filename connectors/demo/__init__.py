"""The demo network: an invented one, with an invented company on it, so that everything can be tried without any
account.

`server` is the network itself, `people` who is on it, `week` what happened to the company in the last week, `pool` and
`inflow` what goes on happening while somebody watches.
"""
