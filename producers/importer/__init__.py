"""Importer: departments' CSV and XLSX files in the 双公示, list and registration layouts become records on the bus."""
