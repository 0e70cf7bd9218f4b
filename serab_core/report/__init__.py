"""Output for people and programs: progress, tables, figures, pages and JSON documents."""
