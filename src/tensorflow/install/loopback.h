#pragma once

/** Makes TensorFlow's libraries listen on the loopback address where they ask for all interfaces. Returns whether that succeeded. */
bool ListenOnLoopbackAlone();
