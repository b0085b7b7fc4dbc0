"""What happened: files and messages become events, once, with what cannot be read kept aside."""
