// oneDNN's products, believed only where this machine has shown that they are right.
using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>
/// oneDNN 3.7.1 of libtorch 2.10 divides a product's outputs into blocks by the caches that the processor tells of, and a virtual one may tell of none. Seen on such a Zen 5: of 512 outputs in blocks of 48 the last
/// 32 were wrong by as much as they are large, and nothing said so. So each size of product is held against libtorch's own once a process, before it is used.
/// </summary>
internal static class OneDnnProducts
{
    /// <summary>What sums of float32 numbers in another order may differ by, of √I terms of size 1: ten times what was seen where both are right.</summary>
    private const double Tolerance = 1e-4;

    private static readonly ConcurrentDictionary<(long Z, long I, long O), bool> Known = new();

    /// <summary>The products in TorchScript: what is checked here is what others compile into their own scripts. libtorch offers the first as a convolution over an image one pixel wide.</summary>
    public const string Functions = """
        def onednn_product(x_ZI: Tensor, w_OI: Tensor) -> Tensor:
            x_1IZ1 = x_ZI.view([1, x_ZI.size(0), 1, -1]).permute([0, 3, 1, 2])
            y_1OZ1 = torch.mkldnn_convolution(x_1IZ1, w_OI.unsqueeze(2).unsqueeze(3), None, [0, 0], [1, 1], [1, 1], 1)
            return y_1OZ1.permute([0, 2, 3, 1]).view([x_ZI.size(0), -1])

        def onednn_weight_gradient(d_y_ZO: Tensor, x_ZI: Tensor, w_OI: Tensor) -> Tensor:
            d_OI, no_bias = torch.mkldnn_linear_backward_weights(d_y_ZO.to_mkldnn(), x_ZI.to_mkldnn(), w_OI, False)
            return d_OI

        """;

    private static readonly jit.CompilationUnit Script = jit.compile(Functions);

    /// <summary>Whether x_ZI · w_OIᵀ, and the gradient of w in it, are what libtorch's own products give.</summary>
    /// <param name="z">Rows.</param>
    /// <param name="i">Numbers of a row that come in.</param>
    /// <param name="o">Numbers that go out.</param>
    public static bool AreRight(long z, long i, long o) => Known.GetOrAdd((z, i, o), size => Check(size.Z, size.I, size.O));

    private static bool Check(long z, long i, long o)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var random = new Generator(0, CPU); // of its own: nobody else's numbers may depend on a check
        var x_ZI = randn([z, i], generator: random);
        var w_OI = randn([o, i], generator: random);
        var d_y_ZO = randn([z, o], generator: random);
        return Differ(Script.invoke<Tensor>("onednn_product", x_ZI, w_OI), x_ZI.mm(w_OI.t())) < Tolerance * Math.Sqrt(i)
            && Differ(Script.invoke<Tensor>("onednn_weight_gradient", d_y_ZO, x_ZI, w_OI), d_y_ZO.t().mm(x_ZI)) < Tolerance * Math.Sqrt(z);
    }

    private static double Differ(Tensor one, Tensor other) => (one - other).abs().max().item<float>();
}
