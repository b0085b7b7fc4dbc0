"""The pages: each is one query function, one frozen record and one template, and knows no other page."""
