// The decoder once more, in plain loops and float64, from the file that Hugging Face would read.
using System.Buffers.Binary;
using System.Text.Json;
using Scaling.Architectures;

namespace Scaling.Torch.Tests;

/// <summary>Reads the weights by the format's description alone and computes logits one number at a time. It shares no code with the network.</summary>
internal sealed class ReferenceDecoder
{
    private readonly DecoderShape _shape;
    private readonly Dictionary<string, double[]> _weights = [];

    public ReferenceDecoder(DecoderShape shape, string safetensors)
    {
        _shape = shape;
        byte[] file = File.ReadAllBytes(safetensors);
        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        using var json = JsonDocument.Parse(file.AsMemory(8, header));
        foreach (var entry in json.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            int start = 8 + header + entry.Value.GetProperty("data_offsets")[0].GetInt32();
            int end = 8 + header + entry.Value.GetProperty("data_offsets")[1].GetInt32();
            _weights[entry.Name] = [.. Enumerable.Range(0, (end - start) / 4).Select(i => (double)BitConverter.ToSingle(file, start + 4 * i))];
        }
    }

    public IReadOnlyCollection<string> Names => _weights.Keys;

    /// <summary>A weight's numbers, which may be changed.</summary>
    public double[] this[string name] => _weights[name];

    public long Count => _weights.Values.Sum(w => (long)w.Length);

    /// <summary>Logits of every position of one sequence.</summary>
    public double[][] Logits(int[] tokens)
    {
        int d = _shape.Hidden;
        double[][] x = [.. tokens.Select(t => _weights["model.embed_tokens.weight"][(t * d)..((t + 1) * d)])];
        for (int layer = 0; layer < _shape.Layers; layer++)
        {
            string p = $"model.layers.{layer}.";
            double[][] attended = Attention(p, [.. x.Select(v => Norm(v, _weights[p + "input_layernorm.weight"]))]);
            x = [.. x.Zip(attended, Sum)];
            x = [.. x.Select(v => Sum(v, Mlp(p, Norm(v, _weights[p + "post_attention_layernorm.weight"]))))];
        }

        double[] head = _weights[_shape.Tied ? "model.embed_tokens.weight" : "lm_head.weight"];
        return [.. x.Select(v => Times(head, Norm(v, _weights["model.norm.weight"])))];
    }

    private double[][] Attention(string p, double[][] x)
    {
        int n = _shape.Heads, k = _shape.KvHeads, h = _shape.HeadSize;
        double[][] q = [.. x.Select((v, t) => Rotate(Times(_weights[p + "self_attn.q_proj.weight"], v), t, n))];
        double[][] keys = [.. x.Select((v, t) => Rotate(Times(_weights[p + "self_attn.k_proj.weight"], v), t, k))];
        double[][] values = [.. x.Select(v => Times(_weights[p + "self_attn.v_proj.weight"], v))];
        var result = new double[x.Length][];
        for (int t = 0; t < x.Length; t++)
        {
            double[] heads = new double[n * h];
            for (int i = 0; i < n; i++)
            {
                int kv = i / (n / k);
                double[] weights = new double[t + 1];
                for (int s = 0; s <= t; s++)
                {
                    for (int c = 0; c < h; c++)
                    {
                        weights[s] += q[t][i * h + c] * keys[s][kv * h + c] / Math.Sqrt(h);
                    }
                }

                double max = weights.Max(), sum = weights.Sum(w => Math.Exp(w - max));
                for (int s = 0; s <= t; s++)
                {
                    for (int c = 0; c < h; c++)
                    {
                        heads[i * h + c] += Math.Exp(weights[s] - max) / sum * values[s][kv * h + c];
                    }
                }
            }

            result[t] = Times(_weights[p + "self_attn.o_proj.weight"], heads);
        }

        return result;
    }

    private double[] Mlp(string p, double[] x)
    {
        double[] gate = Times(_weights[p + "mlp.gate_proj.weight"], x), up = Times(_weights[p + "mlp.up_proj.weight"], x);
        return Times(_weights[p + "mlp.down_proj.weight"], [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]);
    }

    /// <summary>apply_rotary_pos_emb of transformers: x·cos + rotate_half(x)·sin, with the angles of the first half repeated for the second.</summary>
    private double[] Rotate(double[] x, int position, int heads)
    {
        int h = _shape.HeadSize, half = h / 2;
        double[] turned = new double[x.Length];
        for (int i = 0; i < heads; i++)
        {
            for (int c = 0; c < h; c++)
            {
                double angle = position * Math.Pow(10_000, -2.0 * (c % half) / h);
                double other = c < half ? -x[i * h + c + half] : x[i * h + c - half];
                turned[i * h + c] = x[i * h + c] * Math.Cos(angle) + other * Math.Sin(angle);
            }
        }

        return turned;
    }

    private static double[] Norm(double[] x, double[] scale)
    {
        double root = Math.Sqrt(x.Sum(v => v * v) / x.Length + 1e-5);
        return [.. x.Select((v, i) => v / root * scale[i])];
    }

    private static double[] Times(double[] matrix, double[] x)
    {
        double[] product = new double[matrix.Length / x.Length];
        for (int row = 0; row < product.Length; row++)
        {
            for (int i = 0; i < x.Length; i++)
            {
                product[row] += matrix[row * x.Length + i] * x[i];
            }
        }

        return product;
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (u, v) => u + v)];
}
