package ruby

import (
	"math/big"
	"net/netip"
	"strings"
)

// Net is an IPAddr: an address or a network.
type Net struct{ p netip.Prefix }

func (n *Net) show() string { return n.p.Addr().String() }

func (vm *VM) parseNet(s string) *Net {
	s = strings.TrimSpace(s)
	if addr, mask, ok := strings.Cut(s, "/"); ok && strings.Contains(mask, ".") {
		if m, err := netip.ParseAddr(mask); err == nil && m.Is4() {
			b := m.As4()
			ones := big.NewInt(0).SetBytes(b[:])
			n := 0
			for ones.Bit(31-n) == 1 && n < 32 {
				n++
			}
			s = addr + "/" + vm.show(int64(n))
		}
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return &Net{p.Masked()}
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		vm.raise("IPAddr::InvalidAddressError", "invalid address: %s", s)
	}
	return &Net{netip.PrefixFrom(a, a.BitLen())}
}

func (vm *VM) asNet(v Value) *Net {
	if n, ok := v.(*Net); ok {
		return n
	}
	return vm.parseNet(vm.text(v))
}

func netMethods() methods {
	include := &method{1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		n, o := self.(*Net), vm.asNet(a[0])
		return n.p.Bits() <= o.p.Bits() && n.p.Contains(o.p.Addr())
	}}
	return methods{
		"include?": include, "===": include,
		"ipv4?":       {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Net).p.Addr().Is4() }},
		"ipv6?":       {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Net).p.Addr().Is6() }},
		"private?":    {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Net).p.Addr().IsPrivate() }},
		"loopback?":   {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Net).p.Addr().IsLoopback() }},
		"link_local?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Net).p.Addr().IsLinkLocalUnicast() }},
		"prefix":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(self.(*Net).p.Bits()) }},
		"to_i": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			return normal(new(big.Int).SetBytes(self.(*Net).p.Addr().AsSlice()))
		}},
		"to_string": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			return vm.str(self.(*Net).p.Addr().StringExpanded())
		}},
		"mask": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.parseNet(self.(*Net).show() + "/" + vm.show(a[0]))
		}},
		"to_range": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return self }},
	}
}
