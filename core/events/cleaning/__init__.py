"""The rules of cleaning: what each meets, what it does, and the account of it."""
