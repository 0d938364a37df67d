"""Answers, documents and runs in, safe HTML out: everything the page shows. No framework is known here."""
