package wsprovider.live;

import java.util.LinkedHashMap;
import java.util.Map;
import javax.xml.namespace.QName;
import org.apache.axis2.AxisFault;

/** Puts exceptions into the words of an answer. */
final class Failures {
    private Failures() {}

    /** The fields of an answer that tell of a failure. */
    static Map<String, Object> answer(Throwable failure) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("ok", false);
        answer.put("fault", soapFault(failure));
        answer.put("error", describe(failure));
        return answer;
    }

    /** {@code class: message} of the failure and of each cause that adds something. */
    static String describe(Throwable failure) {
        StringBuilder text = new StringBuilder();
        String previous = null;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = cause.getClass().getName() + ": " + cause.getMessage();
            if (!message.equals(previous)) {
                text.append(text.isEmpty() ? "" : " <- ").append(message);
            }
            previous = message;
        }
        return text.toString();
    }

    /** Code and reason of the SOAP fault which the peer sent, also one that came while a token was asked for; null if there was none. */
    private static Map<String, Object> soapFault(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof AxisFault fault && fault.getFaultCodeElement() != null) {
                return told(fault);
            }
        }
        return null;
    }

    private static Map<String, Object> told(AxisFault fault) {
        QName code = fault.getFaultCode();
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("code", code == null ? null : code.toString());
        told.put("subcodes", fault.getFaultSubCodes() == null
                ? null : fault.getFaultSubCodes().stream().map(QName::toString).toList());
        told.put("reason", fault.getReason());
        told.put("detail", fault.getDetail() == null ? null : fault.getDetail().toString());
        return told;
    }
}
