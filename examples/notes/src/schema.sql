-- Accounts, with the columns that Django gives them, so that a Django site can be put beside this
-- app later, with the same logins. The sessions make their own table in this file, django_session.
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS auth_user (
  id integer PRIMARY KEY AUTOINCREMENT,
  username varchar(150) NOT NULL UNIQUE,
  password varchar(128) NOT NULL,
  email varchar(254) NOT NULL DEFAULT '',
  first_name varchar(150) NOT NULL DEFAULT '',
  last_name varchar(150) NOT NULL DEFAULT '',
  is_active bool NOT NULL DEFAULT 1,
  is_staff bool NOT NULL DEFAULT 0,
  is_superuser bool NOT NULL DEFAULT 0,
  last_login datetime,
  date_joined datetime NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- To try it with: the password is correct-horse.
INSERT OR IGNORE INTO auth_user (username, password) VALUES
  ('alice', 'pbkdf2_sha256$1500000$tLFCTbxVqLBBCcgbAxuNnb$flsh4Jt0xXVqtbkEOHWHZgj1ptWI/Cl7bo6hCFTN+vM=');
