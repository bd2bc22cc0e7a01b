package wsprovider.live;

import com.google.gson.JsonObject;

/** One kind of request that the driver answers. */
@FunctionalInterface
interface Command {
    /** Does the work and returns the answer; whatever it throws is reported as a failed call. */
    JsonObject run(Request request) throws Exception;
}
