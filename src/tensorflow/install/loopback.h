#pragma once

/** Has TensorFlow's libraries listen on the loopback address wherever they ask for all addresses. Returns whether it could be done. */
bool ListenOnLoopbackAlone();
