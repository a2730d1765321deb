// RFC 4180 text to records and back.
using System.Text;

namespace Scaling.Sdk;

internal static class Csv
{
    /// <summary>Every record of the text, empty lines skipped.</summary>
    public static List<string[]> Records(string text)
    {
        var records = new List<string[]>();
        var fields = new List<string>();
        var field = new StringBuilder();
        int i = text.Length > 0 && text[0] == '\uFEFF' ? 1 : 0;
        while (i < text.Length)
        {
            bool quoted = text[i] == '"';
            i = quoted ? Quoted(text, i + 1, field) : Plain(text, i, field);
            fields.Add(field.ToString());
            field.Clear();
            if (i < text.Length && text[i] == ',')
            {
                i++;
                if (i == text.Length || text[i] is '\n' or '\r')
                {
                    fields.Add("");
                }
                else
                {
                    continue;
                }
            }

            if (fields.Count > 1 || fields[0].Length > 0 || quoted)
            {
                records.Add([.. fields]);
            }

            fields.Clear();
            i = AfterLineEnd(text, i);
        }

        return records;
    }

    public static void Append(StringBuilder text, IReadOnlyList<string> record)
    {
        if (record is [""])
        {
            // In quotes, since an empty line is no record.
            text.Append("\"\"\n");
            return;
        }

        for (int i = 0; i < record.Count; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            if (record[i].AsSpan().IndexOfAny("\",\r\n") < 0)
            {
                text.Append(record[i]);
            }
            else
            {
                text.Append('"').Append(record[i].Replace("\"", "\"\"")).Append('"');
            }
        }

        text.Append('\n');
    }

    private static int Plain(string text, int start, StringBuilder field)
    {
        int length = text.AsSpan(start).IndexOfAny(",\r\n");
        int end = length < 0 ? text.Length : start + length;
        field.Append(text, start, end - start);
        return end;
    }

    private static int Quoted(string text, int start, StringBuilder field)
    {
        for (int i = start; i < text.Length; i++)
        {
            if (text[i] != '"')
            {
                field.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (i + 1 == text.Length || text[i + 1] is ',' or '\r' or '\n')
            {
                return i + 1;
            }
            else
            {
                throw new FormatException("text follows a closing quote");
            }
        }

        throw new FormatException("a quote never ends");
    }

    private static int AfterLineEnd(string text, int i)
    {
        while (i < text.Length && text[i] is '\r' or '\n')
        {
            i++;
        }

        return i;
    }
}
