#pragma once
#include <malloc.h>  // mallopt: what libzmq receives, it allocates by malloc
#include <zmq.h>
