"""PostgreSQL: the truth. Pool, migrations, the one door for moves, the sweeper."""
