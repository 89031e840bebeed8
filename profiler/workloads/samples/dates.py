"""Dates and times, by the calendar alone."""

from datetime import date, datetime, timedelta, timezone

start = date(2024, 2, 28)
print([(start + timedelta(days=n)).isoformat() for n in range(3)], start.isocalendar()[1], start.weekday())
moment = datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)
print((moment + timedelta(microseconds=1)).isoformat(), moment.strftime("%Y-%m-%d %H:%M:%S.%f %j"))
print(datetime.strptime("03/02/2001 04:05", "%d/%m/%Y %H:%M"), (date(2024, 3, 1) - date(2023, 3, 1)).days)
print(timedelta(days=1, seconds=-1), timedelta(hours=25) / timedelta(minutes=30))
