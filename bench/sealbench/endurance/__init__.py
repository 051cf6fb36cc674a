"""bench/soak: does the gateway hold under load that goes on, leaves, restarts, and dawdles?"""
