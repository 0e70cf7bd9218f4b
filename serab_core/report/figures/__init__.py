"""Figures as SVG: in the report, where they follow the page's colours, and as files for papers."""
