"""What the black-box tests share. Nothing here knows how pgmigrated works inside."""
