"""Signals of consent as others write them, decoded: TCF strings, Google Consent Mode, Segment's consent object."""
