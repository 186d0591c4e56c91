"""The documentation: pages as Markdown, and the programs that make pictures and the reference."""
