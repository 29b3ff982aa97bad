"""What all protocol servers share: sockets, TLS, limits, timers, processes."""
