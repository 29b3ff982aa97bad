"""Commands about users and addresses."""
