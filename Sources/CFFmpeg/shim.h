#pragma once
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/crc.h>
#include <libavutil/display.h>
#include <libavutil/hash.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// What Swift's importer cannot see: macros with casts.
static inline int tandem_averror(int code) { return AVERROR(code); }
static inline int tandem_averror_exit(void) { return AVERROR_EXIT; }
static inline int tandem_averror_eof(void) { return AVERROR_EOF; }
static inline int64_t tandem_no_pts(void) { return AV_NOPTS_VALUE; }
static inline int tandem_averror_http_not_found(void) { return AVERROR_HTTP_NOT_FOUND; }
static inline int tandem_averror_option_not_found(void) { return AVERROR_OPTION_NOT_FOUND; }
