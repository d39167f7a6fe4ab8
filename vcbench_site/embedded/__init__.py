"""The parts of a portal on one machine: Valkey, web server, worker, on free ports."""
