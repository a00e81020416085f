"""The networks' own words and ways: what they tell, refuse and want, as far as a network's one file has no room for it.
Only `connectors.networks` reads them.

Bluesky: atproto, xrpc. Mastodon: fediverse, statuses. Reddit: submissions. WordPress: wordpress. X: tweets, tweetlists,
rebuffs, weighing. YouTube: google, comments. All of Meta's: graph, refusals, meters, grants, logins, hub, messenger,
meta; and Facebook's pages, pageposts; Instagram's igaccount, mediaposts; Threads' threadposts.
"""
