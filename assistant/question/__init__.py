"""What a person typed in, what is asked out: places, years, kind, sides, telling words, and the question a follow-up stands for."""
