"""The seven steps on one page, in order: read this file first."""
