/*
 * cells DATA.MDB: every row of a shard through the engine's own eyes, a line each:
 *
 *     table  place of the key, its length  place of the value, its length  key  value
 *
 * Places are offsets in the file, key and value are hex.
 */
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 32 };

static const char *base; /* where the file is in memory */

static int fail(int rc)
{
    if (rc)
        fprintf(stderr, "%s\n", mdb_strerror(rc));
    return rc;
}

static void find_base(const char *path)
{
    char line[4096 + 128];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, path))
            base = (const char *)(uintptr_t)strtoull(line, NULL, 16);
    if (maps)
        fclose(maps);
}

static void put_hex(MDB_val bytes)
{
    putchar(' ');
    for (size_t i = 0; i < bytes.mv_size; i++)
        printf("%02x", ((const uint8_t *)bytes.mv_data)[i]);
}

static void put_row(const char *table, MDB_val key, MDB_val value)
{
    printf("%s %td %zu %td %zu", table, (const char *)key.mv_data - base, key.mv_size,
           (const char *)value.mv_data - base, value.mv_size);
    put_hex(key);
    put_hex(value);
    putchar('\n');
}

static int put_table(MDB_txn *txn, const char *name)
{
    MDB_dbi table;
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_dbi_open(txn, name, 0, &table);
    if (rc == 0)
        rc = mdb_cursor_open(txn, table, &cursor);
    if (rc)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        put_row(name, key, value);
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int put_all(MDB_txn *txn)
{
    MDB_dbi names;
    MDB_cursor *cursor;
    MDB_val key, value;
    char list[TABLES_MAX][64];
    int count = 0;
    int rc = mdb_dbi_open(txn, NULL, 0, &names);
    if (rc == 0)
        rc = mdb_cursor_open(txn, names, &cursor);
    if (rc)
        return rc;
    while (count < TABLES_MAX && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
        snprintf(list[count++], sizeof *list, "%.*s", (int)key.mv_size, (const char *)key.mv_data);
    mdb_cursor_close(cursor);
    for (int i = 0; i < count && rc == 0; i++)
        rc = put_table(txn, list[i]);
    return rc;
}

int main(int count, char **words)
{
    MDB_env *env;
    MDB_txn *txn;
    if (count != 2)
        return 2;
    int rc = mdb_env_create(&env);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(env, TABLES_MAX);
    if (rc == 0)
        rc = mdb_env_open(env, words[1], MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR, 0600);
    if (rc == 0)
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return fail(rc);
    find_base(words[1]);
    return fail(base ? put_all(txn) : MDB_INVALID) ? 1 : 0;
}
