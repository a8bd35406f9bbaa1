"""One file for each reader: `GateReport` in, text out. Imports the verdict only."""
