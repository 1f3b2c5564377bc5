"""What a session can be asked, a module a subject; ``nbner.session`` puts them together."""
