"""Worlds of documents: pages, turned and bent lines, tables, charts, forms, receipts and invoices."""
