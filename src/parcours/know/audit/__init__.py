"""What was done to customers' data, by whom and why: a log that shows every change made to it afterwards."""
