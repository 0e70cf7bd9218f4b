"""Results to what people and programs read: progress, tables, JSON documents."""
