"""What may be public: a subject's documents, those of a kind day by day, the catalogue as DCAT. The portal and the open data show it."""
