"""The bill of materials: what the bus is made of, with versions, licences and checksums. `make audit`."""
