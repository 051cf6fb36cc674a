"""The side-by-side: one upstream, several proxies, short interleaved slices.

    load (core 1) --TLS--> proxy (core 0) --HTTP/1.1--> upstream (core 1)

Read `campaign.py` first: it is the order of events. Standard library only.
"""
