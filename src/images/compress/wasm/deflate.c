/*
 * One function for WebAssembly: compresses one block of a raw deflate stream with libdeflate at a fixed level, primed
 * with the bytes before it, so that blocks can be made in any order and on any thread and joined afterwards.
 * Built by build.sh; libdeflate.patch adds `slipway_last` and `slipway_history` to the library.
 */
#include <stddef.h>

/* 0: the block is not the last of the stream, so no block header may carry BFINAL. */
static int slipway_last;
/* Bytes before the block that matches may reach into; they are not written. At most HISTORY_BYTES. */
static unsigned slipway_history;

#include "lib/deflate_compress.c"

#define LEVEL 5
#define HISTORY_BYTES 32768u
#define BLOCK_BYTES (1u << 20)

static unsigned char input_area[HISTORY_BYTES + BLOCK_BYTES];
/* Room for stored blocks only: 5 bytes for each 5,000 of input, and the closing empty block. */
static unsigned char output_area[BLOCK_BYTES + 16384];
static unsigned char heap[1u << 20] __attribute__((aligned(64)));
static struct libdeflate_compressor *compressor;

static void *allocate_once(size_t size) { return size > sizeof(heap) ? NULL : heap; }
static void keep(void *pointer) { (void)pointer; }

malloc_func_t libdeflate_default_malloc_func = allocate_once;
free_func_t libdeflate_default_free_func = keep;

void *libdeflate_aligned_malloc(malloc_func_t allocate, size_t alignment, size_t size)
{
	(void)alignment;
	return allocate(size);
}

void libdeflate_aligned_free(free_func_t release, void *pointer) { release(pointer); }

__attribute__((export_name("input"))) unsigned char *input(void) { return input_area; }

__attribute__((export_name("output"))) unsigned char *output(void) { return output_area; }

/*
 * Compresses the `length` bytes that follow `history` bytes at input() and writes to output().
 * A block that is not the last ends on a byte boundary with an empty stored block (a sync flush).
 * Returns the bytes written, 0 when something is wrong.
 */
__attribute__((export_name("deflate"))) unsigned deflate(unsigned history, unsigned length, int last)
{
	struct deflate_output_bitstream os = { .bitbuf = 0, .bitcount = 0, .next = output_area, .end = output_area + sizeof(output_area) - 8, .overflow = false };
	unsigned bits;
	unsigned count;

	if (history > HISTORY_BYTES || length > BLOCK_BYTES)
		return 0;
	if (compressor == NULL)
		compressor = libdeflate_alloc_compressor(LEVEL);
	if (compressor == NULL)
		return 0;
	slipway_last = last;
	slipway_history = history;
	if (length > 0)
		compressor->impl(compressor, input_area, history + length, &os);
	if (os.overflow)
		return 0;
	if (last && length > 0) {
		if (os.bitcount > 0)
			*os.next++ = os.bitbuf;
		return os.next - output_area;
	}
	bits = (unsigned)os.bitbuf | ((unsigned)(last != 0) << os.bitcount);
	count = os.bitcount + 3;
	*os.next++ = bits;
	if (count > 8)
		*os.next++ = bits >> 8;
	*os.next++ = 0x00;
	*os.next++ = 0x00;
	*os.next++ = 0xff;
	*os.next++ = 0xff;
	return os.next - output_area;
}
