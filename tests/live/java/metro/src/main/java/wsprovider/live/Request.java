package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A request as it came in, read field by field with defaults; JSON null counts as absent. */
record Request(JsonObject json) {

    boolean has(String name) {
        return json.has(name) && !json.get(name).isJsonNull();
    }

    String text(String name, String fallback) {
        return has(name) ? json.get(name).getAsString() : fallback;
    }

    String text(String name) {
        return text(name, null);
    }

    String required(String name) {
        if (!has(name)) {
            throw new IllegalArgumentException("the request lacks \"" + name + "\"");
        }
        return json.get(name).getAsString();
    }

    int number(String name, int fallback) {
        return has(name) ? json.get(name).getAsInt() : fallback;
    }

    boolean flag(String name, boolean fallback) {
        return has(name) ? json.get(name).getAsBoolean() : fallback;
    }

    Path path(String name) {
        return has(name) ? Path.of(json.get(name).getAsString()) : null;
    }

    Request object(String name) {
        return new Request(has(name) ? json.getAsJsonObject(name) : new JsonObject());
    }

    List<String> texts(String name) {
        List<String> found = new ArrayList<>();
        for (JsonElement item : array(name)) {
            found.add(item.getAsString());
        }
        return found;
    }

    /** All fields of an object as plain Java values: text, Boolean, Integer (Double when not whole). */
    Map<String, Object> values(String name) {
        Map<String, Object> found = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> field : object(name).json.entrySet()) {
            found.put(field.getKey(), plain(field.getValue().getAsJsonPrimitive()));
        }
        return found;
    }

    private JsonArray array(String name) {
        return has(name) ? json.getAsJsonArray(name) : new JsonArray();
    }

    private static Object plain(JsonPrimitive value) {
        if (value.isBoolean()) {
            return value.getAsBoolean();
        }
        if (value.isNumber()) {
            double number = value.getAsDouble();
            if (number == Math.rint(number)) {
                return value.getAsInt();
            }
            return number;
        }
        return value.getAsString();
    }
}
