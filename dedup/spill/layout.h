/*
 * The bytes of a table file, for its writer and its reader. Little-endian.
 */
#ifndef MITHRIL_DEDUP_SPILL_LAYOUT_H
#define MITHRIL_DEDUP_SPILL_LAYOUT_H

#define MAGIC "mithrilD"
#define FOOT_MAGIC "Dfooter1"
#define VERSION 1u

/* Head: magic, version, kind (4 each), digest, checksum of the bytes before. */
#define HEAD_VERSION 8
#define HEAD_KIND 12
#define HEAD_DIGEST 16
#define HEAD_SUM 32
#define HEAD 40u

/* Before each block: its length, and a checksum seeded with the place of this head. */
#define BLOCK_SUM 8
#define BLOCK_HEAD 16u

/* Foot: 20 bytes a run (part, off, bytes), the counts; then the tail, at the file's end: runs, the place of
 * the foot, checksum of the foot and of the tail so far, magic. */
#define RUN 20u
#define TAIL_OFF 8
#define TAIL_SUM 16
#define TAIL_MAGIC 24
#define TAIL 32u

#endif
