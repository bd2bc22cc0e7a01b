package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import jakarta.xml.soap.SOAPConstants;
import jakarta.xml.soap.SOAPFault;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.util.Iterator;
import javax.xml.namespace.QName;

/** How a call that went wrong is told: the fault the server sent, or what the client itself refused. */
final class Failure {
    private Failure() { }

    static JsonObject of(Throwable problem) {
        JsonObject answer = new JsonObject();
        answer.addProperty("ok", false);
        if (problem instanceof SOAPFaultException thrown) {
            answer.add("fault", fault(thrown.getFault()));
        } else {
            answer.add("fault", JsonNull.INSTANCE);
        }
        answer.addProperty("error", chain(problem));
        return answer;
    }

    private static JsonObject fault(SOAPFault fault) {
        JsonArray subcodes = new JsonArray();
        if (SOAPConstants.URI_NS_SOAP_1_2_ENVELOPE.equals(fault.getNamespaceURI())) {
            Iterator<QName> found = fault.getFaultSubcodes();
            while (found.hasNext()) {
                subcodes.add(found.next().toString());
            }
        }
        JsonObject told = new JsonObject();
        told.addProperty("code", fault.getFaultCodeAsQName().toString());
        told.add("subcodes", subcodes);
        told.addProperty("reason", fault.getFaultString());
        told.addProperty("xml", Xml.text(fault));
        return told;
    }

    private static String chain(Throwable problem) {
        StringBuilder told = new StringBuilder();
        for (Throwable step = problem; step != null; step = step.getCause()) {
            if (told.length() > 0) {
                told.append(" <- ");
            }
            told.append(step.getClass().getName()).append(": ").append(step.getMessage());
        }
        return told.toString();
    }
}
