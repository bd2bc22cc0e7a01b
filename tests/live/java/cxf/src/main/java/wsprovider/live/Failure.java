package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import jakarta.xml.soap.SOAPFault;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.util.Iterator;
import java.util.Locale;
import javax.xml.namespace.QName;
import org.apache.cxf.binding.soap.SoapFault;

/** How a call that went wrong is told: the fault the server sent, or what the client itself refused. */
final class Failure {
    private Failure() { }

    static JsonObject of(Throwable problem) {
        JsonObject answer = new JsonObject();
        answer.addProperty("ok", false);
        if (problem instanceof SOAPFaultException thrown && cameFromServer(thrown)) {
            answer.add("fault", fault(thrown.getFault()));
        } else {
            answer.add("fault", JsonNull.INSTANCE);
        }
        answer.addProperty("error", chain(problem));
        return answer;
    }

    static JsonObject fault(SOAPFault fault) {
        boolean soap12 = Soap.V12.namespace().equals(fault.getNamespaceURI());
        JsonArray subcodes = new JsonArray();
        if (soap12) {
            Iterator<QName> found = fault.getFaultSubcodes();
            while (found.hasNext()) {
                subcodes.add(found.next().toString());
            }
        }
        JsonObject told = new JsonObject();
        told.addProperty("code", fault.getFaultCodeAsQName().toString());
        told.add("subcodes", subcodes);
        told.addProperty("reason", soap12 ? reason(fault) : fault.getFaultString());
        told.addProperty("xml", Xml.text(fault));
        return told;
    }

    private static String reason(SOAPFault fault) {
        try {
            return fault.getFaultReasonText(Locale.ENGLISH);
        } catch (Exception notThere) {
            return fault.getFaultString();
        }
    }

    /** CXF throws its own refusals as SOAP faults too, but those have a cause; a received one has none. */
    private static boolean cameFromServer(SOAPFaultException thrown) {
        Throwable cause = thrown.getCause();
        return cause == null || cause instanceof SoapFault && cause.getCause() == null;
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
