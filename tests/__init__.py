"""The tests: unit, transcripts, engines, clients, browser, fuzz, faults."""
