"""Public disclosure 信用公示: penalties, licences and lists that may be public today, the calendar, the catalogue, open data."""
